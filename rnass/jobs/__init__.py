"""Jobs over many records: records in, a results folder out, with resume."""
