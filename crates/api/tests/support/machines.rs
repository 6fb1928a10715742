//! Machines that start at once, shut down when they are asked to, and run nothing.

use std::{fs, path::Path, sync::Arc};

use cairn_control::machine::{Machine, MachineFuture, Machines};
use cairn_vmm::{Accelerator, DiskSpec, Exit, MachineSpec, ShutdownCause};
use tokio::sync::watch;

#[derive(Debug)]
pub struct Idle;

#[derive(Debug)]
struct IdleMachine(watch::Sender<Option<Exit>>);

impl Machines for Idle {
    fn accelerator(&self) -> Accelerator {
        Accelerator::Tcg
    }

    fn start<'a>(&'a self, spec: &'a MachineSpec) -> MachineFuture<'a, Arc<dyn Machine>> {
        Box::pin(async move {
            fs::create_dir_all(&spec.dir).unwrap();
            fs::write(
                spec.dir.join("console.log"),
                format!("hello from {}\n", spec.id),
            )
            .unwrap();
            Ok(Arc::new(IdleMachine(watch::Sender::new(None))) as Arc<dyn Machine>)
        })
    }

    fn reattach<'a>(&'a self, _dir: &'a Path) -> MachineFuture<'a, Option<Arc<dyn Machine>>> {
        Box::pin(async { Ok(None) })
    }

    fn is_port_free(&self, _port: u16) -> bool {
        true
    }
}

impl IdleMachine {
    fn end(&self, cause: ShutdownCause) -> MachineFuture<'_, ()> {
        self.0.send_replace(Some(Exit::Shutdown(cause)));
        Box::pin(async { Ok(()) })
    }
}

impl Machine for IdleMachine {
    fn system_powerdown(&self) -> MachineFuture<'_, ()> {
        self.end(ShutdownCause::Guest)
    }

    fn reset(&self) -> MachineFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn quit(&self) -> MachineFuture<'_, ()> {
        self.end(ShutdownCause::Host)
    }

    fn kill(&self) -> Result<(), cairn_vmm::MachineError> {
        self.0.send_replace(Some(Exit::Abrupt));
        Ok(())
    }

    fn wait_exit(&self) -> MachineFuture<'_, Exit> {
        Box::pin(async {
            let mut exit = self.0.subscribe();
            let ended = exit.wait_for(Option::is_some).await.unwrap();
            Ok(ended.unwrap())
        })
    }

    fn attach_disk<'a>(&'a self, _disk: &'a DiskSpec) -> MachineFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn detach_disk<'a>(&'a self, _volume_id: &'a str) -> MachineFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn cut_disk<'a>(&'a self, _volume_id: &'a str) -> MachineFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}
