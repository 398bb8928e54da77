//! Security settings of Dynamics 365 Customer Insights environments as code.
//!
//! Data takes one way through the house: files → [`config`] → declared; services → [`settings`] observe → observed;
//! both → [`plan`] → [`guard`] → [`report`], or → [`apply`] → services, and the journal. [`azure`] holds the typed
//! clients of the services, [`emulator`] serves the same services on loopback, [`ui`] is the only place that prints.

pub mod apply;
pub mod azure;
pub mod cli;
pub mod clock;
pub mod config;
pub mod declared;
pub mod emulator;
pub mod guard;
pub mod plan;
pub mod report;
pub mod rotation;
pub mod settings;
pub mod terms;
pub mod ui;
