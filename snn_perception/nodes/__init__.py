"""The ROS nodes, the only part of the package that needs ROS.

Import nothing here: the executables must handle signals before anything heavy is imported.
"""
