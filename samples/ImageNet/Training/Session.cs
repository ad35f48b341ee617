using System.Diagnostics;
using System.Globalization;
using Pdp.Samples.ImageNet.Data;
using Pdp.Samples.ImageNet.Reporting;
using Pdp.Training;

namespace Pdp.Samples.ImageNet.Training;

/// <summary>The epochs of a run, with what is shown and kept of them; borrows all that it works with.</summary>
internal sealed record Session(
    Settings Settings, Learner Learner, Trainer Trainer, Team Team, IDisplay Display, CancellationToken Stop)
{
    /// <summary>Where checkpoints go; nowhere if null.</summary>
    public CheckpointFolder? Folder { get; init; }

    /// <summary>What TensorBoard is shown; nothing if null.</summary>
    public TensorBoardLog? Board { get; init; }

    /// <summary>Continues from the newest checkpoint, if there is one.</summary>
    /// <exception cref="InvalidDataException">The checkpoint is damaged, or of other settings.</exception>
    public Progress Start()
    {
        // Only the first rank has a folder; the others read the checkpoint that it found.
        var latest = Team.Collective.Broadcast(Folder?.FindNewest(Display.Line) ?? "");
        if (latest.Length == 0)
        {
            return Progress.Start;
        }

        var run = Checkpoint.Load(latest, Learner, Settings, Trainer.Steps);
        Display.Line($"continuing from '{latest}': epoch {run.Epoch + 1}, step {run.Step} of {Trainer.Steps}");
        // A run that was killed after its last checkpoint may have left fewer lines, and one that could keep none for a while more.
        // A new run has no line yet, and leaves no file: one without checkpoints couldn't be continued, and would be in the way.
        WriteMetrics(run);
        return run;
    }

    /// <summary>Trains through the rest of an epoch, and keeps a checkpoint at its end.</summary>
    /// <exception cref="OperationCanceledException">There was an interrupt; a checkpoint was kept.</exception>
    public Progress TrainEpoch(Progress start)
    {
        var clock = Stopwatch.StartNew();
        return Display.Watch(Title(start), Trainer.Steps, report =>
        {
            var run = start;
            foreach (var step in Trainer.Epoch(start))
            {
                if (Trainer.Committed is { } commit)
                {
                    Display.Line($"{commit}");
                }

                report(step, () => Describe(start, Trainer.Read(start, step, clock)));
                if (IsDue(step, Settings.LogSteps))
                {
                    Log(start, Trainer.Read(start, step, clock));
                }

                if (Settings.AgreementSteps > 0 && IsDue(step, Settings.AgreementSteps))
                {
                    Team.RequireAgreement();
                }

                var isToStop = Team.Stops(Stop);
                if (IsDue(step, Settings.CheckpointSteps) || isToStop)
                {
                    run = Trainer.Read(start, step, clock);
                    Keep(run, isLast: isToStop);
                }

                if (isToStop)
                {
                    throw new OperationCanceledException(Stop);
                }
            }

            return run;
        });
    }

    /// <summary>Measures the results of an epoch, keeps its checkpoint as the best if it is, and adds a line to metrics.csv.</summary>
    /// <exception cref="OperationCanceledException">There was an interrupt; the checkpoint of the epoch's end is there.</exception>
    public Progress EndEpoch(Progress run, IPictureBatches validation)
    {
        // Before pruning begins the forms are the same, and one pass through the network measures both.
        Team.AverageStatistics();
        MaskForm[] forms = Learner.Pruner is { Sparsity: > 0 } ? [MaskForm.Soft, MaskForm.Folded] : [MaskForm.Soft];
        var accuracy = Measure(validation, forms);
        var (soft, folded) = (accuracy[0], accuracy[^1]);
        var pictures = (double)Trainer.Steps * Settings.Batch;
        var metrics = new EpochMetrics(
            run.Epoch + 1, run.Loss, Trainer.LearningRate(run), soft.Top1, soft.Top5, folded.Top1, folded.Top5,
            Learner.Pruner?.Sparsity ?? 0, run.Seconds, pictures / run.Seconds);
        var isBest = run.History.All(metrics.IsBetterThan);
        var next = run.Next(metrics);
        Display.Line(metrics.ToRow());
        // First the checkpoint: it is the one that counts where there is little room, and the others can be made up from it.
        Keep(next, isBest);
        Show(board =>
        {
            board.Epoch(Steps(next), metrics);
            board.Weights(Steps(next), Learner);
        });
        WriteMetrics(next);
        return next;
    }

    /// <summary>The accuracy with the weights in each of several forms.</summary>
    /// <exception cref="OperationCanceledException">There was an interrupt.</exception>
    public Accuracy[] Measure(IPictureBatches pictures, params MaskForm[] forms) => Display.Watch(
        "accuracy", pictures.Count, report =>
            Evaluation.Measure(Learner, pictures, forms, Team.Collective, done => report(done, () => ""), Stop));

    /// <summary>
    /// Writes a checkpoint. Where that fails, training continues: what is in memory is worth more than what could not be written.
    /// </summary>
    private void Keep(Progress run, bool isBest = false, bool isLast = false)
    {
        Team.AverageStatistics();
        try
        {
            Folder?.Save(Steps(run), Learner.State, Checkpoint.Texts(Learner, run, Settings), isBest);
        }
        catch (IOException e) when (!isLast)
        {
            // A run that stops here, whichever rank the signal came to, keeps nothing in memory, so it ends with the error.
            Display.Line($"No checkpoint could be written; the existing ones stay: {e.Message}");
        }
    }

    private void WriteMetrics(Progress run)
    {
        try
        {
            RunFiles.Write(Settings.Out, RunFiles.Metrics, string.Join('\n', [EpochMetrics.Header, .. run.History, ""]));
        }
        catch (IOException e)
        {
            Display.Line($"{RunFiles.Metrics} could not be written; the next epoch's end writes it with all lines: {e.Message}");
        }
    }

    private void Log(Progress start, Progress run) => Show(board => board.Numbers(
        Steps(run), ("train/loss", run.Loss), ("train/lr", Trainer.LearningRate(run)), ("train/pictures_per_second", Rate(start, run))));

    private void Show(Action<TensorBoardLog> write)
    {
        try
        {
            if (Board is not null)
            {
                write(Board);
            }
        }
        catch (IOException e)
        {
            Display.Line($"TensorBoard will lack some numbers, which could not be written: {e.Message}");
        }
    }

    private bool IsDue(int step, int every) => step == Trainer.Steps || (every > 0 && step % every == 0);

    /// <summary>The steps of the whole run so far.</summary>
    private long Steps(Progress run) => ((long)run.Epoch * Trainer.Steps) + run.Step;

    private string Title(Progress run) => $"epoch {run.Epoch + 1}/{Settings.Epochs}";

    private string Describe(Progress start, Progress run) => string.Create(
        CultureInfo.InvariantCulture,
        $"loss {run.Loss:0.000}, lr {Trainer.LearningRate(run):0.0000}, "
        + $"sparsity {Learner.Pruner?.Sparsity ?? 0:P1}, {Rate(start, run):0.0} pictures/s");

    // Pictures per second since the run was started or resumed.
    private double Rate(Progress start, Progress run) => (run.Step - start.Step) * (double)Settings.Batch / (run.Seconds - start.Seconds);
}
