"""Many files: what there is to do, doing it in processes or on a cluster, and what is done already."""
