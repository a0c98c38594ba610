"""The instrument: our files and other codecs', bytes on disk and pixels decoded from them, on a folder of pictures.

    sources -> items -> an engine (this process, processes, a cluster) -> the item log -> aggregate -> reports

`runner.run` is that line; an item is one picture and one setting, and is on the disk before the next begins.
"""
