using System.Globalization;

namespace CdnEdge.Lab.Commands;

/// <summary>Arguments of the lab's commands.</summary>
internal static class Usage
{
    /// <summary>Says how a command is used; its exit status.</summary>
    internal static int Of(string text)
    {
        Console.Error.WriteLine(text);
        return 2;
    }

    /// <summary>The arguments as options with their values, those of <paramref name="flags"/> with none; null: that's not what they are.</summary>
    internal static List<(string Option, string Value)>? Options(string[] arguments, params string[] flags)
    {
        List<(string, string)> options = [];
        for (var i = 0; i < arguments.Length; i++)
        {
            if (flags.Contains(arguments[i]))
                options.Add((arguments[i], ""));
            else if (i + 1 < arguments.Length)
                options.Add((arguments[i], arguments[++i]));
            else
                return null;
        }

        return options;
    }

    /// <summary>Says whether all was met; the exit status.</summary>
    internal static int Conclude(int missed)
    {
        Console.WriteLine(missed == 0 ? "all bars met" : $"{missed} bars missed");
        return missed == 0 ? 0 : 1;
    }

    /// <summary>The number that it says; -1: it's none.</summary>
    internal static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
}
