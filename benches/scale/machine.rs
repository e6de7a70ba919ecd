//! What the kernel counts of this process and of the machine.

use std::fs;

const MB: f64 = 1e6;

/// Resident memory now, in MB.
pub fn resident() -> f64 {
    status("VmRSS:")
}

/// Sets the peak back to what there is now.
pub fn forget_peak() {
    // Where the kernel does not let us, the peak is that of the whole process: never too small.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The peak of resident memory, in MB.
pub fn peak() -> f64 {
    status("VmHWM:")
}

/// The processor's time of all threads of this process, in seconds.
pub fn processor() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let times = tasks.filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok());
    times.filter_map(|text| text.split(' ').next()?.parse::<f64>().ok()).sum::<f64>() / 1e9
}

/// Who else is at work here.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!("(load before: {})", text.split(' ').next().unwrap_or("unknown"))
}

fn status(name: &str) -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kib.unwrap_or_default() * 1024.0 / MB
}
