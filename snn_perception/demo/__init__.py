"""The demo application: both nodes in one process, with the answers on the screen.

Import nothing here: the executable must handle signals before it imports anything heavy.
"""
