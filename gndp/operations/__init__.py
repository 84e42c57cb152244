"""What whoever runs the servers looks at: probes, metrics and logs."""
