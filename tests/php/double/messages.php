<?php

// Stand-ins for the core's log and message centre.

final class log
{
    public static function add($log, $level, $text, $id = ''): void
    {
        Memory::$logs[] = [$level, $text];
        if ($level === 'error' && config::byKey('addMessageForErrorLog') == 1) {
            message::add($log, $text, 'Log', $id);
        }
    }

    public static function getLogLevel($log): int
    {
        return 200;
    }

    public static function convertLogLevel($level): string
    {
        return [100 => 'debug', 200 => 'info'][$level];
    }

    public static function remove($log): void
    {
    }

    public static function getPathToLog($log): string
    {
        return jeedom::getTmpFolder() . '/' . $log;
    }
}

final class message
{
    private $text = '';
    private $times = 1;

    public static function add($plugin, $text, $action = '', $id = ''): void
    {
        Memory::$messages[$id] = $text;
        Memory::$timesTold[$id] = (Memory::$timesTold[$id] ?? 0) + 1;
    }

    public static function removeAll($plugin, $id = ''): void
    {
        unset(Memory::$messages[$id], Memory::$timesTold[$id]);
    }

    /** @return self[] the text as the core keeps it, escaped */
    public static function byPluginLogicalId($plugin, $id): array
    {
        $found = new self();
        $found->times = Memory::$timesTold[$id] ?? 1;
        $found->text = htmlspecialchars(Memory::$messages[$id] ?? '', ENT_QUOTES);
        return isset(Memory::$messages[$id]) ? [$found] : [];
    }

    public function getMessage(): string
    {
        return $this->text;
    }

    public function getOccurrences(): int
    {
        return $this->times;
    }
}
