"""A CartElectronic WES energy server: pages rendered from CGX templates, CGI actions, FTP."""
