//! The codes of `title`.

use crate::config::codes::codes;
use crate::plan::notes;

codes! {
    TITLE_WITH_CONTROLS "title-with-controls": "The title of an environment holds control characters.";
}

notes! {
    TITLE_IS_SHOWN = finding "title-is-shown": "A new title is seen by everybody.",
        "The product shows the title of an environment at the top of each page.";
}
