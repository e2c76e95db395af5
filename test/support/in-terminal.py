"""Runs a command in a pseudo-terminal of 100 by 60: our stdin are its keys, its screen is our stdout."""
import fcntl
import os
import pty
import select
import struct
import sys
import termios

child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 100, 0, 0))
    os.execvp(sys.argv[1], sys.argv[1:])

keys_open = True
while True:
    ready, _, _ = select.select([terminal] + ([0] if keys_open else []), [], [])
    if 0 in ready:
        keys = os.read(0, 4096)
        if keys:
            os.write(terminal, keys)
        else:
            keys_open = False
    if terminal in ready:
        try:
            shown = os.read(terminal, 4096)
        except OSError:
            shown = b""
        if not shown:
            break
        os.write(1, shown)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
