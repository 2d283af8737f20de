using System.Reflection;
using BenchmarkDotNet.Running;

// dotnet run -c Release --project bench/Micro -- --filter '*Capture*'
BenchmarkSwitcher.FromAssembly(Assembly.GetExecutingAssembly()).Run(args);
