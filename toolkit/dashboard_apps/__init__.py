"""Small programs for a node, one a file; toolkit/apps.py tells what each has."""
