"""The bench: our files and other codecs' on a folder of pictures, measured by their bytes and their decoded pixels.

    sources -> items -> the engine of fourcodec.batch -> item log -> aggregate -> reports

`runner.run` calls these in order. An item is one picture and one setting; it is on the disk before the next begins.
"""
