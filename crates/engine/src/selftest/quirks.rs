//! What is known of adapters, and the choice of kernel forms that a device computes rightly.

use std::rc::Rc;

use goldcrest_gguf::{GgmlType, Gguf};
use goldcrest_gpu::{AdapterInfo, AdapterKind, Device};
use goldcrest_model::Config;

use super::{last, rows_for, test};
use crate::EngineError;

/// Adapters whose forms need no test at every start: every change to the kernels is tested on them.
const PROVEN: &[&str] = &["llvmpipe", "swiftshader"];

/// Kernel forms to try, in this order, where the preferred ones compute wrongly: fewer barriers and no workgroup memory.
const FALLBACKS: &[&str] = &["core", "software"];

/// Runs the self-test's models that stand for this file, with the tuned kernel forms if there are any, with the preferred ones
/// and then with plainer ones.
///
/// What comes back is to be forced in place of `forced`, with a sentence about every form that was passed over.
///
/// # Errors
/// [`EngineError::WrongResults`] if no form gives the constants; [`EngineError::Gpu`].
pub(crate) async fn select_forms(
    device: &Rc<dyn Device>,
    gguf: &Gguf,
    tuned: &[(String, String)],
    forced: &[(String, String)],
) -> Result<(Vec<(String, String)>, Vec<String>), EngineError> {
    let mut notes = Vec::new();
    if is_proven(device.info()) && !loses_accuracy(&[tuned, forced].concat()) {
        return Ok(([tuned, forced].concat(), notes));
    }
    let mut attempts = Vec::new();
    if !tuned.is_empty() {
        attempts.push(("the tuned kernels", tuned.to_vec()));
    }
    attempts.push(("the preferred kernels", Vec::new()));
    // The CPU's executor has no plainer forms.
    let fallbacks = if device.info().kind == AdapterKind::Cpu { &[] } else { FALLBACKS };
    attempts.extend(fallbacks.iter().map(|name| (*name, vec![("profile".to_owned(), (*name).to_owned())])));
    let mut wrong = String::new();
    for (form, mut forms) in attempts {
        forms.extend_from_slice(forced);
        let Some(name) = first_wrong(device, gguf, &forms).await? else { return Ok((forms, notes)) };
        notes.push(format!("self-test: {form} compute {name} wrongly on {}", device.info().name));
        wrong = name;
    }
    Err(EngineError::WrongResults { adapter: device.info().name.clone(), test: wrong })
}

/// The first of the models that stand for this file which `forms` compute wrongly; none if all are right.
///
/// # Errors
/// As [`super::selftest`].
pub(crate) async fn first_wrong(
    device: &Rc<dyn Device>,
    gguf: &Gguf,
    forms: &[(String, String)],
) -> Result<Option<String>, EngineError> {
    let arch = Config::from_gguf(gguf)?.arch;
    let types: Vec<GgmlType> = gguf.tensors.iter().filter(|t| t.n_dims > 1).map(|t| t.ty).collect();
    for row in rows_for(arch, &types) {
        let result = test(device, forms, row).await?;
        if !result.ok {
            return Ok(Some(result.name));
        }
    }
    Ok(None)
}

/// Whether a form is asked for that is as right as the test finds it, on whatever adapter.
fn loses_accuracy(forms: &[(String, String)]) -> bool {
    last(forms, "activations") == Some("int8")
}

fn is_proven(info: &AdapterInfo) -> bool {
    let name = info.name.to_lowercase();
    info.kind == AdapterKind::Cpu || PROVEN.iter().any(|proven| name.contains(proven))
}
