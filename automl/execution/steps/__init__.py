"""The bodies of all steps, in a pod or on a laptop: each may be run again at any time and does nothing twice."""
