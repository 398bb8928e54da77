//! From YAML files to checked declarations.
//!
//! The way in: files → one located tree (`yaml`) → JSON, checked against the schema (`schema`) → merged (`merge`) →
//! typed and checked ([`Configuration`]). Words: a *node* is a value with its place; a *diagnostic* is one mistake with a
//! stable code. What must stay true: every mistake of a run is reported at once, in file order, with file, line and
//! column; nothing here touches the network or the clock.

pub mod diagnostic;
pub mod source;
pub mod tree;

pub use diagnostic::{Code, Diagnostic, Diagnostics, Severity};
pub use source::{Place, Sources, Span};
pub use tree::{Located, Node};

/// What one environment is, apart from its settings: its names and ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentHead {
    /// The key under `environments:`; palisade's name for the environment.
    pub key: String,
    /// Customer Insights - Data instance id.
    pub instance_id: uuid::Uuid,
    /// Power Platform environment id. An opaque string: default environments are called `Default-{tenant}`.
    pub environment_id: String,
    /// The display name that the live environment must have, if the file binds it.
    pub name: Option<String>,
    /// Whether business unit separation is on (it allows the role Marketing Contributor).
    pub business_units: bool,
    /// Where the environment is written.
    pub place: Place,
}
