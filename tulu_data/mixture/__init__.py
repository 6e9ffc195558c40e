"""The output of a build, and its readers: the layout is all that writers and readers share."""
