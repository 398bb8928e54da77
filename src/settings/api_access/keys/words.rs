//! Words of `apiAccess.keys`.

use crate::config::quoted;
use crate::config::texts::ENVIRONMENT;
use crate::config::words::{Written, Wrong, words, wrong};
use crate::rotation::Window;
use crate::settings::api_access::codes;
use crate::terms::pasted;

words! {
    /// Days of the week, hours of the day and a time zone.
    WindowText(Window), called "a time window",
        { "pattern": r"^[A-Za-z,-]+ [0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9] [A-Za-z0-9_/+-]+$", "format": "time-window", "examples": ["Mon-Thu 08:00-15:00 Europe/Berlin"] }, parse_window;

    /// The name of a secret in a Key Vault: letters, digits and hyphens.
    SecretName(String), called "the name of a secret",
        { "pattern": r"^([0-9A-Za-z-]|\$\{environment\}){1,127}$", "examples": ["ci-api-key"] }, parse_secret_name;
}

impl Written for Window {
    fn written(&self) -> String {
        self.to_string()
    }
}

fn parse_secret_name(text: &str) -> Result<String, Wrong> {
    if is_secret_name(&text.replace(ENVIRONMENT, "env")) {
        return Ok(text.to_owned());
    }
    let named = pasted::secret_in(text).filter(|name| is_secret_name(name));
    if let Some(name) = named {
        let message = format!("must be the name of a secret, not the address {}", quoted(text));
        return Err(Wrong::new(codes::BAD_SECRET_NAME, message, "").meaning(name));
    }
    wrong(
        codes::BAD_SECRET_NAME,
        format!("must be the name of a secret, not {}", quoted(text)),
        "names of secrets have 1 to 127 letters, digits and hyphens",
    )
}

fn is_secret_name(name: &str) -> bool {
    (1..=127).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn parse_window(text: &str) -> Result<Window, Wrong> {
    text.parse::<Window>().map_err(|problem| {
        let message = format!("must be a time window, not {}: {problem}", quoted(text));
        let help = "write days, hours and a time zone, such as `Mon-Thu 08:00-15:00 Europe/Berlin`";
        Wrong::new(codes::BAD_WINDOW, message, help)
    })
}

impl SecretName {
    /// What is wrong with a name whose placeholders are filled in, if anything is.
    pub(crate) fn check(text: &str) -> Option<Wrong> {
        parse_secret_name(text).err()
    }
}
