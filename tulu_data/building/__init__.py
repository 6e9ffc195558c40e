"""What a build does, from the inputs to the sealed mixture."""
