<?php

// Stand-ins for the core's static classes: they remember what they were told.

function __(string $text, string $file): string
{
    return translate::$sections['plugins/jeenergie/' . substr($file, strlen(dirname(__DIR__, 3)) + 1)][$text] ?? $text;
}

final class Memory
{
    public static $config = [];
    public static $cache = [];
    public static $eqLogics = [];
    public static $cmds = [];
    public static $events = [];
    public static $messages = [];
    public static $timesTold = []; // by id of the message
    public static $logs = [];
    public static $async = [];
    public static $listeners = [];
    public static $queries = [];
    public static $databaseGone = [];
    public static $recorded = []; // [id of the command, date, value], what the core has historized with an event
    public static $history = []; // {cmd, datetime, value, archived}
    /** Unix time at which time stands still; empty: the machine's own. */
    public static $now = [];

    /** What another request does, once, before a statement changes a row ("update"), a message leaves ("request"), a value is stored ("value") or was cached ("cached"). */
    public static $meanwhile = [];

    public static function let(string $moment): void
    {
        $action = self::$meanwhile[$moment] ?? null;
        unset(self::$meanwhile[$moment]);
        $action === null || $action();
    }

    public static function forget(): void
    {
        foreach (array_keys(get_class_vars(self::class)) as $name) {
            self::$$name = [];
        }
    }
}

/** In memory; in a file that several processes share where JEENERGIE_TEST_CONFIG names one. */
final class config
{
    public static function byKey($key, $plugin = 'core', $default = '', $fresh = false)
    {
        if ([$key, $plugin] === ['api', 'jeenergie']) {
            Memory::let('request'); // a message leaves next
        }
        self::read();
        return Memory::$config[$plugin . '::' . $key] ?? $default;
    }

    private static function read(): void
    {
        $file = getenv('JEENERGIE_TEST_CONFIG');
        if ($file !== false) {
            Memory::$config = json_decode((string) @file_get_contents($file), true) ?: [];
        }
    }

    /** One statement is atomic. */
    private static function change(callable $change): void
    {
        $file = getenv('JEENERGIE_TEST_CONFIG');
        if ($file === false) {
            $change();
            return;
        }
        $lock = fopen($file . '.lock', 'c');
        flock($lock, LOCK_EX);
        self::read();
        $change();
        file_put_contents($file . '.new', json_encode(Memory::$config));
        rename($file . '.new', $file);
        fclose($lock);
    }

    public static function byKeys(array $keys, $plugin = 'core'): array
    {
        return [];
    }

    public static function save($key, $value, $plugin = 'core'): void
    {
        self::change(static function () use ($key, $value, $plugin): void {
            Memory::$config[$plugin . '::' . $key] = $value;
        });
    }

    public static function remove($key, $plugin = 'core'): void
    {
        self::change(static function () use ($key, $plugin): void {
            unset(Memory::$config[$plugin . '::' . $key]);
        });
    }
}

final class cache
{
    private $value;
    private $key = '';

    /** The class that keeps it; here the same. */
    public static function getEngine(): string
    {
        return self::class;
    }

    /** @return self[] */
    public static function all(): array
    {
        return array_map(static function (string $key): self {
            $cache = self::byKey($key);
            $cache->key = $key;
            return $cache;
        }, array_map('strval', array_keys(Memory::$cache['own'] ?? [])));
    }

    public function getKey(): string
    {
        return $this->key;
    }

    public static function byKey($key): self
    {
        $cache = new self();
        [$cache->value, $until] = Memory::$cache['own'][$key] ?? [null, 0];
        $cache->value = $until >= microtime(true) ? $cache->value : null;
        return $cache;
    }

    public static function set($key, $value, $lifetime = 0): void
    {
        Memory::$cache['own'][$key] = [$value, $lifetime > 0 ? microtime(true) + $lifetime : INF];
    }

    public static function delete($key): void
    {
        unset(Memory::$cache['own'][$key]);
    }

    public function getValue($default = '')
    {
        return $this->value === null || $this->value === '' ? $default : $this->value;
    }
}

final class utils
{
    /** As the core: what looks encrypted is left alone, and nothing is made of what is empty, "0" included. */
    public static function encrypt($text)
    {
        return $text === '' ? null : (strpos($text, 'crypt:') !== false ? $text : 'crypt:' . bin2hex(strrev($text)));
    }

    public static function decrypt($text)
    {
        if (empty($text)) {
            return null;
        }
        return strpos($text, 'crypt:') === false ? $text : strrev((string) @hex2bin(str_replace('crypt:', '', $text)));
    }

    public static function executeAsync($class, $method, $options = null): void
    {
        Memory::$async[] = [$method, $options];
    }
}

/** A row of the core's table, whose column takes 511 characters. */
final class listener
{
    private $row = ['event' => [], 'class' => '', 'function' => '', 'option' => []];
    private $id;

    /** @return listener[] */
    public static function byClass($class): array
    {
        $own = array_filter(Memory::$listeners, fn(self $each): bool => $each->getClass() === $class);
        return array_values(array_map(fn(self $each): self => clone $each, $own));
    }

    public function setOption($key, $value): self
    {
        $this->row['option'][$key] = $value;
        return $this;
    }

    public function __call(string $method, array $arguments)
    {
        $name = lcfirst(substr($method, 3));
        if (strpos($method, 'get') === 0) {
            return $this->row[$name];
        }
        $this->row[$name] = $arguments[0];
        return $this;
    }

    public function save(): void
    {
        if (strlen(json_encode($this->row['event'])) > 511) {
            throw new Exception("[MySQL] Error code : 22001 (1406). Data too long for column 'event' at row 1");
        }
        $this->id = $this->id ?? max(array_keys(Memory::$listeners + [0])) + 1;
        Memory::$listeners[$this->id] = clone $this;
    }

    public function remove(): void
    {
        unset(Memory::$listeners[$this->id]);
    }
}

/** A background task that the core has been given; a test says by "crons" which are left over. */
final class cron
{
    public static function byClassAndFunction($class, $function, $option = '')
    {
        return Memory::$config['crons'][json_encode($option)] ?? false;
    }

    public function run($noErrorReport = false): void
    {
        Memory::$events[] = ['cron::run', $noErrorReport];
    }
}

final class translate
{
    /** @var string[] what some texts are in the language that a test has chosen */
    public static $texts = [];

    /** @var array[] of a whole language, by file, as core/i18n has them; empty: French */
    public static $sections = [];

    public static function sentence($text, $file): string
    {
        return self::$texts[$text] ?? self::$sections[$file][$text] ?? $text;
    }

    public static function exec($html, $file): string
    {
        return $html;
    }

    public static function getLanguage(): string
    {
        return self::$sections === [] ? 'fr_FR' : 'en_US';
    }
}

final class network
{
    public static function getNetworkAccess($mode, $protocol): string
    {
        return Memory::$config['access'] ?? 'http://127.0.0.1:80';
    }
}

final class event
{
    public static function add($name, $option = []): void
    {
        Memory::$events[] = [$name, $option];
    }
}

/** As the core's. */
function cleanComponanteName($name): string
{
    $taken = ['&', '#', ']', '[', '%', '\\', '/', "'", '"', '*'];
    return preg_replace('/\s+/', ' ', strip_tags(str_replace($taken, '', $name)));
}

/** As the database compares names: neither case nor accents nor blanks at the end make a difference. */
function collated(string $name): string
{
    $plain = ['é' => 'e', 'è' => 'e', 'ê' => 'e', 'à' => 'a', 'â' => 'a', 'ô' => 'o', 'î' => 'i', 'û' => 'u', 'ç' => 'c'];
    return rtrim(strtr(mb_strtolower($name), $plain));
}

/** As the core's: letters with accents become those without, in lower case. */
function sanitizeAccent($message): string
{
    return strtr($message, ['É' => 'e', 'é' => 'e', 'è' => 'e', 'À' => 'a', 'à' => 'a', 'ç' => 'c']);
}

function getTemplate($folder, $version, $name, $plugin = ''): string
{
    $path = __DIR__ . '/../../../core/template/' . $version . '/' . $name . '.html';
    return Memory::$config['template'] ?? (is_file($path) ? file_get_contents($path) : '');
}

function isConnect($right = ''): bool
{
    return true;
}

function include_file($folder, $name, $type, $plugin = ''): void
{
}

function init($name, $default = '')
{
    return $_GET[$name] ?? $default;
}

function template_replace(array $tags, string $html): string
{
    return str_replace(array_keys($tags), array_values($tags), $html);
}

final class jeedom
{
    public static function version(): string
    {
        return '4.5.3';
    }

    public static function versionAlias($version): string
    {
        return ['dview' => 'dashboard', 'mview' => 'mobile'][$version] ?? $version;
    }

    public static function getTmpFolder($plugin = ''): string
    {
        $folder = sys_get_temp_dir() . '/jeenergie-php-tests-' . getmypid();
        is_dir($folder) || mkdir($folder);
        return $folder;
    }

    /** As the core 4.5: makes a key where there is none, and opens one that is switched off. */
    public static function getApiKey($plugin = 'core', $mode = 'enable'): string
    {
        if (config::byKey('api', $plugin) == '') {
            config::save('api', bin2hex(random_bytes(32)), $plugin);
            config::save('api::' . $plugin . '::mode', $mode);
        }
        if (config::byKey('api::' . $plugin . '::mode', 'core', 'enable') == 'disable' && $mode != 'disable') {
            config::save('api::' . $plugin . '::mode', $mode);
        }
        return config::byKey('api', $plugin);
    }
}

final class update
{
    /** The core removes a plugin's eqLogics one after the other, in the order of their names. */
    public function deleteObjet(): void
    {
        foreach (eqLogic::byType('jeenergie') as $eqLogic) {
            $eqLogic->remove();
        }
    }
}

/** Installed unless a test says by "dependencies" what the core knows of them; its daemon could be started. */
final class plugin
{
    public static function byId($id): self
    {
        return new self();
    }

    public function dependancy_info(): array
    {
        return ['state' => Memory::$config['dependencies'] ?? 'ok'];
    }

    public function deamon_info(): array
    {
        return ['launchable' => 'ok'];
    }

    /** A test says by "deamon_start" what then runs. */
    public function deamon_start($force = false, $auto = false): void
    {
        Memory::$events[] = ['deamon_start', []];
        (Memory::$config['deamon_start'])();
    }
}

/** Answers the plugin's own few queries from the objects in memory, and remembers the others. */
final class DB
{
    public const FETCH_TYPE_ROW = 0;
    public const FETCH_TYPE_ALL = 1;

    public static function buildField($class): string
    {
        return '*';
    }

    public static function Prepare($query, $values, $type = 0, $fetch = null, $class = null)
    {
        Memory::$queries[] = [$query, $values];
        if (Memory::$databaseGone) {
            throw new Exception('[MySQL] Error code : HY000 (2006). MySQL server has gone away');
        }
        if (preg_match('/^UPDATE `(cmd|eqLogic)` SET/', $query, $table)) {
            Memory::let('update');
            self::update($table[1], $values);
            return [];
        }
        if (preg_match('/^SELECT `id` FROM `(cmd|eqLogic)` WHERE .*`name` = :name AND `id` != :id$/', $query, $table)) {
            $all = $table[1] === 'cmd' ? Memory::$cmds : Memory::$eqLogics;
            return array_keys(array_filter($all, fn($each): bool => $each->getId() != $values['id']
                && $each->place() === (string) $values['place'] && collated($each->getName()) === collated($values['name'])));
        }
        if (strpos($query, 'FROM `eqLogic` WHERE `eqType_name` = ?') !== false) {
            $ids = array_slice($values, 1);
            return self::copies(Memory::$eqLogics, fn($each): bool => in_array((string) $each->getId(), $ids, true));
        }
        if (strpos($query, 'FROM `cmd` WHERE `eqType` = ?') !== false) {
            return self::copies(
                Memory::$cmds,
                fn($each): bool => in_array((string) $each->getEqLogic_id(), $values, true)
                    && in_array($each->getLogicalId(), $values, true)
            );
        }
        if (strpos($query, 'historyArch') !== false && Memory::$history !== []) {
            return storedHistory($query, $values);
        }
        if (strpos($query, 'FROM `cmd` WHERE `eqType` = :type') !== false) {
            return array_map(fn(cmd $cmd): array => [
                'eqLogic_id' => $cmd->getEqLogic_id(),
                'logicalId' => $cmd->getLogicalId(),
                'configuration' => json_encode($cmd->getConfiguration()),
            ], array_values(Memory::$cmds));
        }
        return [];
    }

    /** One statement of Row: columns by their names, keys of the configuration as path0, value0 and so on. */
    private static function update(string $table, array $values): void
    {
        $stored = $table === 'cmd' ? Memory::$cmds[$values['id']] : Memory::$eqLogics[$values['id']];
        $changed = clone $stored;
        foreach (array_diff_key($values, ['id' => 0]) as $name => $value) {
            if (preg_match('/^path(\d+)$/', $name, $number)) {
                [$key, $inner] = explode('"."', trim($value, '$."')) + [1 => null];
                $new = $values['value' . $number[1]];
                $changed->setConfiguration($key, $inner === null ? $new : [$inner => $new] + $changed->getConfiguration($key));
            } elseif (!preg_match('/^value\d+$/', $name)) {
                $changed->{'set' . ucfirst($name)}($value);
            }
        }
        $changed->store();
    }

    private static function copies(array $objects, callable $accepted): array
    {
        return array_map(fn($each) => clone $each, array_values(array_filter($objects, $accepted)));
    }
}
