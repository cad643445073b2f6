using System.Runtime.InteropServices;

namespace CdnEdge.Delivery.Compression;

/// <summary>Lets a thread of its own have the processor only where nobody else wants it.</summary>
internal static class LowPriority
{
    private const int OfThreadOrProcess = 0;
    private const uint Own = 0;
    private const int Niceness = 15;

    /// <summary>For the calling thread, to its end: on Linux a thread that has become nicer can't take that back.</summary>
    internal static void Take()
    {
        Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
        if (OperatingSystem.IsLinux())
        {
            // .NET's own priorities mean nothing on Linux, where niceness is each thread's. Refused, it stays as nice as it was.
            _ = SetPriority(OfThreadOrProcess, Own, Niceness);
        }
    }

#pragma warning disable SYSLIB1054 // LibraryImport would have the whole assembly allow unsafe code; there's nothing to marshal.
    [DllImport("libc", EntryPoint = "setpriority")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetPriority(int which, uint who, int priority);
#pragma warning restore SYSLIB1054
}
