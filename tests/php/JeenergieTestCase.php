<?php

use Jeenergie\Contract\Catalogue;
use Jeenergie\Daemon\DesiredState;
use Jeenergie\Daemon\Reach;
use Jeenergie\Equipment\Discovery;
use Jeenergie\Pages\Documentation;
use Jeenergie\Storage\DataFolder;
use Jeenergie\Tiles\Subject;
use PHPUnit\Framework\TestCase;

abstract class JeenergieTestCase extends TestCase
{
    /** A small system with one of everything that a catalogue can say. */
    private const CATALOGUE = __DIR__ . '/catalogue.json';

    private $daemon;

    protected function setUp(): void
    {
        Memory::forget();
        Subject::forget();
        Memory::$config['jeenergie::deamonAutoMode'] = 0;
        Memory::$config['jeenergie::api'] = str_repeat('k', 64);
        $this->setStatic(DesiredState::class, 'scheduled', true);
        $this->setStatic(Documentation::class, 'root', jeedom::getTmpFolder());
        $this->setStatic(DataFolder::class, 'path', jeedom::getTmpFolder() . '/daemon');
        $this->setStatic(Reach::class, 'serverFiles', []);
        $this->useCatalogue(json_decode(file_get_contents(self::CATALOGUE), true));
    }

    /** What the core calls when the plugin is activated, updated and deactivated. */
    protected function loadInstall(): void
    {
        if (!function_exists('jeenergie_install')) {
            // The core itself is not here: its double stands for what the file would load first.
            $source = file_get_contents(dirname(__DIR__, 2) . '/plugin_info/install.php');
            eval('?>' . preg_replace('/^require_once .*core\.inc\.php.*$/m', '', $source));
        }
    }

    /** Lets a catalogue stand for the first one of the plugin; "lab" is its name in the tests. */
    protected function useCatalogue(array $catalogue): void
    {
        $this->setStatic(Catalogue::class, 'cache', ['catalogue/' . $this->lab() . '.json' => $catalogue]);
    }

    /** From here on the plugin's own files count. */
    protected function forgetCatalogues(): void
    {
        $this->setStatic(Catalogue::class, 'cache', []);
    }

    protected function lab(): string
    {
        return Catalogue::backends()[0];
    }

    protected function setStatic(string $class, string $name, $value): void
    {
        $property = new ReflectionProperty($class, $name);
        $property->setAccessible(true);
        $property->setValue(null, $value);
    }

    protected function connection(array $config = [], string $name = 'House'): jeenergie
    {
        $connection = new jeenergie();
        $connection->setName($name);
        $connection->setIsEnable(1);
        $connection->setConfiguration('kind', 'connection');
        $connection->setConfiguration('backend', $this->lab());
        $connection->setConfiguration('config', $config + ['host' => 'h', 'password' => 'p4ss']);
        $connection->save();
        return jeenergie::byId($connection->getId());
    }

    protected function equipment(jeenergie $connection, string $key = '1', string $type = 'meter'): jeenergie
    {
        $equipment = Discovery::create($connection, $type, $key, 'Meter ' . $key);
        return jeenergie::byId($equipment->getId());
    }

    /** A process that answers as its manner says; with a pid file it passes for the plugin's own daemon. */
    protected function startDaemon(string $manner, bool $isOurs = false): void
    {
        $command = array_merge(
            [PHP_BINARY, __DIR__ . '/double/daemon.php', $manner],
            $isOurs ? ['-m', 'jeenergied', '--datadir', DataFolder::path()] : []
        );
        $this->daemon = proc_open($command, [1 => ['pipe', 'w']], $pipes);
        Memory::$config['jeenergie::socketport'] = (int) fgets($pipes[1]);
        if ($isOurs) {
            file_put_contents($this->pidFile(), proc_get_status($this->daemon)['pid']);
        }
    }

    private function pidFile(): string
    {
        return DataFolder::file('deamon.pid');
    }

    protected function tearDown(): void
    {
        if ($this->daemon !== null) {
            proc_terminate($this->daemon);
            proc_close($this->daemon);
            @unlink($this->pidFile());
        }
    }

    /** @return string[] */
    protected function logicalIds(jeenergie $eqLogic): array
    {
        $logicalIds = array_map(fn(cmd $cmd): string => $cmd->getLogicalId(), $eqLogic->getCmd());
        sort($logicalIds);
        return $logicalIds;
    }

    protected function cmd(jeenergie $eqLogic, string $logicalId): cmd
    {
        return $eqLogic->getCmd(null, $logicalId);
    }
}
