"""The catalogue of load modules and boards: read out of the device's source, written as JSON and as one page."""
