"""The pages, one file each: found by name, none knows another."""
