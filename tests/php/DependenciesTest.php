<?php

use Jeenergie\Daemon\Daemon;
use Jeenergie\Daemon\Dependencies;
use Jeenergie\Pages\PageActions;
use Jeenergie\Storage\DataFolder;

/** "Installed" means that it works: an upgrade of the system ends it, and Jeedom installs again by itself. */
final class DependenciesTest extends JeenergieTestCase
{
    private $plugin;
    private $environment;

    protected function setUp(): void
    {
        parent::setUp();
        $this->plugin = jeedom::getTmpFolder() . '/plugin';
        $this->environment = $this->plugin . '/resources/python_venv';
        $this->setStatic(Dependencies::class, 'root', $this->plugin);
        mkdir($this->environment . '/bin', 0755, true);
        mkdir($this->environment . '/lib/python3.9/site-packages', 0755, true);
        file_put_contents($this->plugin . '/resources/requirements.txt', "requests\n");
        file_put_contents($this->plugin . '/resources/check_environment.py', '');
        $list = hash_file('sha256', $this->plugin . '/resources/requirements.txt');
        file_put_contents($this->environment . '/.jeenergie-deps', $list . "\n");
        $this->interpreter('python3.9', 0);
        symlink($this->plugin . '/python3.9', $this->environment . '/bin/python');
    }

    protected function tearDown(): void
    {
        parent::tearDown();
        $this->setStatic(Dependencies::class, 'root', null);
        exec('rm -rf ' . escapeshellarg($this->plugin) . ' ' . escapeshellarg(DataFolder::path()));
        clearstatcache(true);
    }

    /** A Python that counts how often it was run, and ends with this code. */
    private function interpreter(string $name, int $code): void
    {
        $script = "#!/bin/sh\necho \"\$@\" >> {$this->plugin}/runs\nexit $code\n";
        file_put_contents($this->plugin . '/' . $name, $script);
        chmod($this->plugin . '/' . $name, 0755);
    }

    private function runs(): int
    {
        return count(@file($this->plugin . '/runs') ?: []);
    }

    private function state(): string
    {
        return Dependencies::info()['state'];
    }

    public function testWhatWorksIsAskedOnce(): void
    {
        $this->assertSame(['ok', 'ok', 'ok'], [$this->state(), $this->state(), $this->state()]);
        $this->assertSame(1, $this->runs());
        $this->assertStringStartsWith('-I ', file_get_contents($this->plugin . '/runs'));
    }

    public function testAnotherPythonIsAskedAgainAndWhatTheCoreRemembersIsDropped(): void
    {
        $this->assertSame('ok', $this->state());
        cache::set('dependancyjeenergie', ['state' => 'ok']);
        $this->interpreter('python3.11', 1); // has no packages in lib/python3.9
        unlink($this->environment . '/bin/python');
        symlink($this->plugin . '/python3.11', $this->environment . '/bin/python');
        $info = Daemon::info();
        $this->assertSame('nok', $info['launchable']);
        $this->assertStringContainsString('dépendances', $info['launchable_message']);
        $this->assertSame('', cache::byKey('dependancyjeenergie')->getValue());
        $this->assertSame('nok', $this->state());
        $this->assertSame(2, $this->runs(), 'a failure is remembered for a minute');
    }

    public function testAnInstallationThatHasFailedIsToldOnceAndTakenBackWhenItWorks(): void
    {
        file_put_contents($this->plugin . '/resources/requirements.txt', "requests\nnewer\n"); // what an update brings
        $log = log::getPathToLog('jeenergie_update');
        Daemon::everyMinute();
        $this->assertSame([], Memory::$messages, 'not tried yet');
        file_put_contents($log, "[2026-11-30 10:00:00] Installation\n[2026-11-30 10:00:01] ECHEC : les paquets ne s'installent pas\n"
            . "[2026-11-30 10:00:01]   Réponse : plus de place\n[2026-11-30 10:00:01]   À faire : libérez de la place.\n"
            . "[2026-11-30 10:00:01] FAILED: the packages cannot be installed\n[2026-11-30 10:00:01]   To do: free some space.\n");
        Daemon::everyMinute();
        Daemon::everyMinute();
        $this->assertCount(1, Memory::$messages);
        $told = implode(Memory::$messages);
        $this->assertStringContainsString('gardées. Les paquets ne s\'installent pas. Réponse : plus de place. À faire : libérez de la place.', $told);
        $this->assertStringNotContainsString('FAILED', $told);
        Memory::$config['dependencies'] = 'nok';
        $list = PageActions::list();
        $this->assertStringContainsString('À faire : libérez de la place.', $list['daemon']['text']);
        $this->assertSame('now', $list['firstSteps']->steps[0]['state'], 'the step of a newcomer says it as well');
        // Back to the former version: its list is the one that is installed.
        file_put_contents($this->plugin . '/resources/requirements.txt', "requests\n");
        Daemon::everyMinute();
        $this->assertSame([], Memory::$messages);
        $this->assertSame('ok', $this->state());
        unlink($log);
    }

    public function testAnInterpreterThatIsGoneNeedsNoQuestion(): void
    {
        $this->assertSame('ok', $this->state());
        unlink($this->plugin . '/python3.9');
        $this->assertSame('nok', $this->state());
        $this->assertSame(1, $this->runs());
    }

    public function testPackagesThatAreGoneAreNoticed(): void
    {
        $this->assertSame('ok', $this->state());
        $this->interpreter('python3.9', 1);
        touch($this->plugin . '/python3.9', time() - 1000); // as upgraded
        $this->assertSame('nok', $this->state());
        rmdir($this->environment . '/lib/python3.9/site-packages');
        $this->assertSame('nok', $this->state());
        $this->assertSame(3, $this->runs());
    }

    public function testAnotherListIsNotInstalled(): void
    {
        file_put_contents($this->plugin . '/resources/requirements.txt', "requests\nlxml\n");
        $this->assertSame('nok', $this->state());
        $this->assertSame(0, $this->runs());
    }

    public function testOtherCheckedVersionsAreNotInstalled(): void
    {
        mkdir($this->plugin . '/resources/lock');
        file_put_contents($this->plugin . '/resources/lock/py39.txt', "requests==2.0\n");
        $this->assertSame('nok', $this->state());
        file_put_contents($this->plugin . '/resources/lock/py311.txt', "requests==2.1\n");
        $stamp = shell_exec('cd ' . $this->plugin . '/resources && cat requirements.txt lock/*.txt | sha256sum');
        file_put_contents($this->environment . '/.jeenergie-deps', substr($stamp, 0, 64) . "\n");
        $this->assertSame('ok', $this->state());
        file_put_contents($this->plugin . '/resources/lock/py311.txt', "requests==2.2\n");
        $this->assertSame('nok', $this->state());
    }

    public function testAProgressFileThatNobodyWritesAnyMoreIsRemoved(): void
    {
        $path = DataFolder::file('install.progress');
        file_put_contents($path, '40');
        $lock = DataFolder::lock('install.lock', 0);
        $this->assertSame($path, Dependencies::info()['progress_file']);
        $this->assertFileExists($path);
        fclose($lock);
        Dependencies::info();
        $this->assertFileDoesNotExist($path);
    }

    public function testAnInstallationIsFollowedByAStart(): void
    {
        Memory::$config['deamon_start'] = static function (): void {
        };
        Daemon::everyMinute();
        $this->assertSame([], Memory::$events);
        Dependencies::install();
        Daemon::everyMinute();
        $this->assertSame([['deamon_start', []]], Memory::$events);
        Daemon::everyMinute();
        $this->assertCount(1, Memory::$events);
    }

    public function testAStartWaitsForTheInstallation(): void
    {
        Memory::$config['deamon_start'] = static function (): void {
        };
        Dependencies::install();
        $this->interpreter('python3.9', 1);
        Daemon::everyMinute();
        $this->assertSame([], Memory::$events);
        $this->interpreter('python3.9', 0);
        touch($this->plugin . '/python3.9', time() - 1000);
        Daemon::everyMinute();
        $this->assertCount(1, Memory::$events);
    }
}
