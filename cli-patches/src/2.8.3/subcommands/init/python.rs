//! `spacetime init --lang python`, and templates with Python in them.
//!
//! Part of spacetime-py, Apache-2.0 OR MIT.

use super::embedded;
use crate::tasks::python::template::{check_for_python, write_files};
use anyhow::Context;
use std::path::Path;

/// Writes an embedded template into a folder, with the project's name where the template leaves it open.
pub fn exec_init_python(source: &str, folder: &Path, name: &str) -> anyhow::Result<()> {
    let templates = embedded::get_template_files();
    let files = templates.get(source).with_context(|| format!("there is no template {source}"))?;
    let files = files.iter().filter(|(path, _)| !path.ends_with(".template.json"));
    write_files(folder, files.map(|(path, text)| (*path, *text)), name)?;
    check_for_python();
    Ok(())
}
