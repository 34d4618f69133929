"""The demo application: both nodes in one process, and their answers on the screen.

Import nothing here: the executable must handle signals before anything heavy is imported.
"""
