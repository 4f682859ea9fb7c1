"""What stands around a board: parts that are driven through its pins, or drive them."""
