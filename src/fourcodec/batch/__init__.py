"""Runs over many files, and what every long run needs.

    folders, bench -> engine -> this process, processes or a cluster
                        |
                     journal (lock, resume), progress (status line, time left)

The training of generative models uses the lock and the time left.
"""
