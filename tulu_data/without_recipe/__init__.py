"""Commands on data files, without a recipe."""
