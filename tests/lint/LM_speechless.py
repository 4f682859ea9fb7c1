"""Has no help."""  # <- help


def on():
    return 1
