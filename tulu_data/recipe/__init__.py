"""A recipe, how it is read, and the plan that is made of it."""
