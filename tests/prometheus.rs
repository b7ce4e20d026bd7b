//! What operators watch the governor with, held against a real Prometheus.

mod alerts;
mod dashboards;
mod files;
