"""The IT service desk: problems reported from any page, worked in one queue, answered where they were reported."""
