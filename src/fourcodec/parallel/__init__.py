"""Many pieces of work at a time: in processes of this machine, or on a cluster. What the work is, its callers say."""
