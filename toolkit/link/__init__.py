"""Ways to reach a node: the shell over TCP, files over WebREPL."""
