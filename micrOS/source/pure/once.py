"""Things that exist once: made on first use, not on import."""


def once(make):
    """Decorator: make the thing on the first call, return the same one ever after."""
    made = []

    def get():
        if not made:
            made.append(make())
        return made[0]
    return get
