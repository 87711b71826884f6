"""A program of PyTorch as people have it: a schedule over all of its epochs, checkpoints, a way to go on from one."""

import argparse
import os

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--epochs", type=int, default=9)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--resume")
args = parser.parse_args()

torch.set_num_threads(1)
torch.manual_seed(args.seed)
points = torch.rand(256, 8)
labels = (points.sum(1, keepdim=True) > 4).float()
model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.lr, epochs=args.epochs, steps_per_epoch=8)
begun = 0
if args.resume:
    state = torch.load(args.resume, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    begun = state["epoch"]
for epoch in range(begun + 1, args.epochs + 1):
    order = torch.randperm(256, generator=torch.Generator().manual_seed(epoch))
    for batch in order.split(32):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(points[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
    torch.save({**state, "epoch": epoch}, "new.pt")
    os.rename("new.pt", f"epoch_{epoch}.pt")
    print(f"epoch {epoch} lr={schedule.get_last_lr()[0]:.9f} val_loss={loss.item():.9f}", flush=True)
