"""A block device in memory, as a file system sees the flash of a board; runs on MicroPython and CPython.

A test puts this file on its board, `files={"flash.py": <text of this file>, ...}`, and says there
`from flash import Flash`, `vfs.VfsLfs2.mkfs(flash)`, `vfs.mount(flash, "/small")`.
"""
ERASED = b"\xff"

# https://docs.micropython.org/en/latest/library/vfs.html#vfs.AbstractBlockDev.ioctl
BLOCK_COUNT = 4
BLOCK_SIZE = 5
ERASE = 6


class Flash:
    """blocks * block_size bytes. data: what lies there already, default: erased."""

    def __init__(self, blocks, block_size=512, data=None):
        self.blocks = blocks
        self.block_size = block_size
        self.data = bytearray(data or ERASED * (blocks * block_size))

    def readblocks(self, block, buffer, offset=0):
        at = block * self.block_size + offset
        buffer[:] = self.data[at:at + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        at = block * self.block_size + offset
        self.data[at:at + len(buffer)] = buffer

    def erase(self, block):
        at = block * self.block_size
        self.data[at:at + self.block_size] = ERASED * self.block_size

    def ioctl(self, op, arg):
        if op == ERASE:
            return self.erase(arg) or 0
        return {BLOCK_COUNT: self.blocks, BLOCK_SIZE: self.block_size}.get(op, 0)
