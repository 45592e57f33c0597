"""What the demo clinic is made of: tables of facts and invented names. No chance, no dates, no database."""
