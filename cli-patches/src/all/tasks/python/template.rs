//! What `spacetime init` writes for Python: the files of `templates/python`, with the project's name in them.
//!
//! Part of spacetime-py, Apache-2.0 OR MIT.

use crate::detect::find_executable;
use colored::Colorize;
use std::fs;
use std::path::Path;

const NAME: &str = "{{name}}";

/// Writes the files, each a path and a text, into a folder.
pub fn write_files<'a>(
    folder: &Path,
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
    name: &str,
) -> anyhow::Result<()> {
    let name = database_name(name);
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, text.replace(NAME, &name))?;
    }
    Ok(())
}

/// A name that is good for a database and for a Python project: small letters and digits, with dashes between.
fn database_name(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    if name.is_empty() {
        "my-module".into()
    } else {
        name
    }
}

/// Warns when there is no Python: the project was made, but nothing can build it.
pub fn check_for_python() -> bool {
    let names = if cfg!(windows) { ["python.exe", "py.exe"] } else { ["python3", "python"] };
    let found = names.iter().any(|name| find_executable(name).is_some());
    if !found {
        let warning = "Warning: You have created a Python project, but you are missing Python 3.10 or newer. See https://www.python.org/downloads/";
        println!("{}", warning.yellow());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::database_name;

    #[test]
    fn names_are_made_fit_for_a_database() {
        for (name, expected) in [("My Chat", "my-chat"), ("a__b.", "a-b"), ("..", "my-module"), ("x1", "x1")] {
            assert_eq!(database_name(name), expected);
        }
    }
}
