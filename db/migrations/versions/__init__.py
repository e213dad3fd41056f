"""The revisions, oldest first. Forward only: a change that went wrong is mended by another one."""
