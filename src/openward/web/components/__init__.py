"""The components behind `{% load openward %}`, by kind. Each returns safe HTML; none writes a style attribute or a script."""
