"""Commands on data files that no recipe names."""
