"""What runs by itself: the lease, the scheduler and its jobs, one file per job.

Any number of servers may run. One of them holds the scheduler's lease and runs the jobs; every transaction of
a job checks that the lease is still held, so one that has lost it without knowing changes nothing any more.
"""
