"""Sensitivity labels by hand."""
