"""What a recipe says, how it is read, and the plan that it becomes."""
