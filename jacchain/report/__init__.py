"""Assessments in, files for people out: drawings, the HTML report, the terminal's tables."""
