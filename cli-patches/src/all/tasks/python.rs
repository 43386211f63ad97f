//! Python modules: which folder is one, and its build.
//!
//! Part of spacetime-py, Apache-2.0 OR MIT. The module is compiled by the Python package; nothing of that is here.

pub mod package;
pub mod template;

use anyhow::Context;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the build leaves the module: a folder that git, `spacetime dev` and Python's own tools ignore.
const ARTIFACT: &str = "build/module.wasm";

const BIN: &str = if cfg!(windows) { "Scripts" } else { "bin" };
const PYTHON: &str = if cfg!(windows) { "python.exe" } else { "python" };
const SYSTEM_PYTHON: &str = if cfg!(windows) { "python.exe" } else { "python3" };

/// What makes a folder a project of another language, even when Python tools are configured in it.
const OTHERS: [&str; 3] = ["Cargo.toml", "package.json", "CMakeLists.txt"];

/// Whether a folder is a Python project: it says so, and nothing in it says that it is something else.
pub fn is_python(folder: &Path) -> bool {
    let has_one_of = |names: &[&str]| names.iter().any(|name| folder.join(name).is_file());
    has_one_of(&["pyproject.toml", "setup.py"]) && !has_one_of(&OTHERS) && !has_csproj(folder)
}

fn has_csproj(folder: &Path) -> bool {
    let is_csproj = |path: PathBuf| path.extension().is_some_and(|extension| extension == "csproj");
    fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(|entry| is_csproj(entry.path())))
}

/// Builds the module with the project's Python and returns the wasm file, which is ready to be published.
pub(crate) fn build_python(project: &Path) -> anyhow::Result<PathBuf> {
    let folder = std::path::absolute(project)?;
    let wasm = folder.join(ARTIFACT);
    fs::create_dir_all(wasm.parent().unwrap_or(&folder))?;
    remove_if_there(&wasm)?;
    let python = find_python(&folder, env::var_os("VIRTUAL_ENV"));
    require_package(&python, &folder)?;
    // The reason for a failure is one line on stderr, which the user sees as it comes.
    let status = command(&python, &folder).args(["-m", "spacetime_py", "build", "."]).arg("-o").arg(&wasm).status()?;
    anyhow::ensure!(status.success(), "Python did not build the module in {}: see above", project.display());
    anyhow::ensure!(is_wasm(&wasm), "the build ended well, but {} is not there, or is no wasm", wasm.display());
    Ok(wasm)
}

fn remove_if_there(file: &Path) -> anyhow::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

fn is_wasm(file: &Path) -> bool {
    fs::read(file).is_ok_and(|bytes| bytes.starts_with(b"\0asm"))
}

/// The virtual environment that is active, else the `.venv` of the project or of a folder around it, else the system's.
fn find_python(folder: &Path, active: Option<OsString>) -> PathBuf {
    let active = active.filter(|path| !path.is_empty()).map(PathBuf::from);
    let environments = active.into_iter().chain(folder.ancestors().map(|folder| folder.join(".venv")));
    let mut pythons = environments.map(|environment| environment.join(BIN).join(PYTHON));
    pythons.find(|python| python.is_file()).unwrap_or_else(|| PathBuf::from(SYSTEM_PYTHON))
}

fn command(python: &Path, folder: &Path) -> Command {
    let mut command = Command::new(python);
    command.current_dir(folder);
    command
}

/// Without this, the user would read `No module named spacetime_py` and no remedy.
fn require_package(python: &Path, folder: &Path) -> anyhow::Result<()> {
    let question = "import importlib.util, sys; sys.exit(importlib.util.find_spec('spacetime_py') is None)";
    let answer = command(python, folder).args(["-c", question]).status();
    let python = python.display();
    let answer = answer.with_context(|| format!("cannot run {python}: install Python 3.10 or newer"))?;
    anyhow::ensure!(
        answer.success(),
        "{python} has no spacetime_py: run `{python} -m pip install 'spacetime-py[module]'`, or activate the virtual environment that has it"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files in it, empty ones.
    fn folder(name: &str, files: &[&str]) -> PathBuf {
        let folder = env::temp_dir().join(format!("spacetime-py-{}-{name}", std::process::id()));
        for file in files {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn python_is_what_says_so_and_is_nothing_else() {
        let python = ["pyproject.toml", "setup.py"];
        let others = ["Cargo.toml", "package.json", "CMakeLists.txt", "Module.csproj"];
        // Each subset of the six files.
        for subset in 0..1 << 6 {
            let all = python.iter().chain(&others).enumerate();
            let files: Vec<&str> = all.filter(|(bit, _)| subset >> bit & 1 == 1).map(|(_, file)| *file).collect();
            let folder = folder(&format!("detect-{subset}"), &files);
            let expected = subset & 0b11 != 0 && subset >> 2 == 0;
            assert_eq!(is_python(&folder), expected, "{files:?}");
            let _ = fs::remove_dir_all(folder);
        }
    }

    #[test]
    fn the_nearest_python_is_used() {
        let bin = format!(".venv/{BIN}/{PYTHON}");
        let active = format!("active/{BIN}/{PYTHON}");
        let root = folder("venv", &["project/inner/pyproject.toml", &format!("project/{bin}"), &active]);
        let inner = root.join("project/inner");
        assert_eq!(find_python(&inner, None), root.join("project").join(&bin));
        assert_eq!(find_python(&inner, Some(root.join("active").into())), root.join(&active));
        assert_eq!(find_python(&inner, Some("".into())), root.join("project").join(&bin));
        fs::remove_dir_all(root).unwrap();
    }
}
