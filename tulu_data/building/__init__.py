"""The steps of a build, from the inputs to the sealed mixture."""
